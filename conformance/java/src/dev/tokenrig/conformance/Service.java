package dev.tokenrig.conformance;

import com.google.auth.Credentials;
import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.auth.MoreCallCredentials;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** The private service, called with an ID token by HTTP and by gRPC. It is the rig's echo. */
final class Service {
  private static final MethodDescriptor<StringValue, StringValue> ENTER =
      MethodDescriptor.<StringValue, StringValue>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("shop.Ledger/Enter")
          .setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .build();

  static Http.Answer get(String url, Credentials credentials) throws IOException {
    return Http.get(url + "/entries", credentials);
  }

  static void byHttp(String url, Credentials credentials) throws IOException {
    String path = get(url, credentials).json().get("path").getAsString();
    Verdict.equal(path, "/entries", "the path that the service saw");
  }

  /** Calls a method of the service; the echo sends the message back. */
  static String call(String url, Credentials credentials) throws InterruptedException {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS);
    if (credentials != null) options = options.withCallCredentials(MoreCallCredentials.from(credentials));
    ManagedChannel channel = ManagedChannelBuilder.forAddress(url.replace("https://", ""), 443).build();
    try {
      StringValue entry = StringValue.of("entry 17");
      return ClientCalls.blockingUnaryCall(channel, ENTER, options, entry).getValue();
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  static void byGrpc(String url, Credentials credentials) throws InterruptedException {
    Verdict.equal(call(url, credentials), "entry 17", "what came back by gRPC");
  }

  private Service() {}
}
